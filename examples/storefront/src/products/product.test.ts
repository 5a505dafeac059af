import { formatPrice, search, type Product } from "./product";

const products: Product[] = [
  { id: "1", name: "Mug, blue", category: "Kitchen", price: 1250, stock: 4 },
  { id: "2", name: "Desk lamp", category: "Light", price: 6800, stock: 0 },
];

test("prices are shown in euros", () => {
  expect(formatPrice(1250)).toBe("€12.50");
  expect(formatPrice(0)).toBe("€0.00");
});

test("search wants every word, in name or category", () => {
  expect(search(products, "")).toHaveLength(2);
  expect(search(products, "kitchen BLUE").map(({ id }) => id)).toEqual(["1"]);
  expect(search(products, "blue lamp")).toEqual([]);
});
