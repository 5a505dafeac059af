import { cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";

import { App } from "./App";
import type { Product } from "./products/product";

const products: Product[] = [
  { id: "lamp", name: "Desk lamp", category: "Light", price: 6800, stock: 0 },
  { id: "mug", name: "Mug, blue", category: "Kitchen", price: 1250, stock: 4 },
  { id: "pad", name: "Notebook", category: "Paper", price: 890, stock: 21 },
];

function answer(body: unknown, status = 200) {
  const response = { ok: status < 400, status, json: async () => body };
  globalThis.fetch = jest.fn(async () => response as Response);
}

function names(): (string | null)[] {
  const [, ...rows] = screen.getAllByRole("row");
  return rows.map((row) => within(row).getAllByRole("cell")[0]!.textContent);
}

afterEach(cleanup);

test("products are loaded and listed", async () => {
  answer(products);
  render(<App catalogue="/catalogue.json" />);
  expect(screen.getByRole("status").textContent).toContain("Loading");
  await screen.findByRole("table");
  expect(names()).toEqual(["Desk lamp", "Mug, blue", "Notebook"]);
  expect(screen.getByText("€68.00")).toBeTruthy();
  expect(screen.getByText("sold out")).toBeTruthy();
  expect(globalThis.fetch).toHaveBeenCalledTimes(1);
});

test("a click on a heading sorts, a second one turns the order around", async () => {
  answer(products);
  const user = userEvent.setup();
  render(<App catalogue="/catalogue.json" />);
  const price = await screen.findByRole("button", { name: "Price" });
  await user.click(price);
  expect(names()).toEqual(["Notebook", "Mug, blue", "Desk lamp"]);
  await user.click(price);
  expect(names()).toEqual(["Desk lamp", "Mug, blue", "Notebook"]);
});

test("search narrows the table down", async () => {
  answer(products);
  const user = userEvent.setup();
  render(<App catalogue="/catalogue.json" />);
  const field = await screen.findByRole("searchbox", { name: "Search" });
  await user.type(field, "kitchen");
  expect(names()).toEqual(["Mug, blue"]);
  await user.type(field, " lamp");
  expect(screen.getByRole("status").textContent).toContain("Nothing matches");
});

test("a failing catalogue is reported", async () => {
  answer({}, 503);
  render(<App catalogue="/catalogue.json" />);
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("503");
});
