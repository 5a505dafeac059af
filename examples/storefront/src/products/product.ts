/** Something for sale. */
export interface Product {
  id: string;
  name: string;
  category: string;
  /** In cents, so that sums stay exact. */
  price: number;
  stock: number;
}

const euros = new Intl.NumberFormat("en-IE", {
  style: "currency",
  currency: "EUR",
});

/** A price in cents as people read it. */
export function formatPrice(cents: number): string {
  return euros.format(cents / 100);
}

/** Products whose name or category holds every word of the search text. */
export function search(products: Product[], text: string): Product[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return products.filter((product) => {
    const searched = `${product.name} ${product.category}`.toLowerCase();
    return words.every((word) => searched.includes(word));
  });
}

function isProduct(value: unknown): value is Product {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const product = value as Record<string, unknown>;
  return (
    typeof product.id === "string" &&
    typeof product.name === "string" &&
    typeof product.category === "string" &&
    typeof product.price === "number" &&
    typeof product.stock === "number"
  );
}

/** Loads the catalogue and checks its shape. */
export async function loadProducts(
  address: string,
  signal?: AbortSignal,
): Promise<Product[]> {
  const response = await fetch(address, { signal });
  if (!response.ok) {
    throw new Error(`the catalogue answered ${response.status}`);
  }
  const products: unknown = await response.json();
  if (!Array.isArray(products) || !products.every(isProduct)) {
    throw new Error("the catalogue is not a list of products");
  }
  return products;
}
