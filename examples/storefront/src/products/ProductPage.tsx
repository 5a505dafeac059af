import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useMemo, useState } from "react";

import { loadProducts, search } from "./product";
import { ProductTable } from "./ProductTable";

/** The product list: loading, failure, search, table. */
export function ProductPage({ catalogue }: { catalogue: string }) {
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text);
  const { data, error, isPending } = useQuery({
    queryKey: ["products", catalogue],
    queryFn: ({ signal }) => loadProducts(catalogue, signal),
  });
  const products = useMemo(() => search(data ?? [], wanted), [data, wanted]);

  if (isPending) {
    return <p role="status">Loading products…</p>;
  }
  if (error) {
    return <p role="alert">Products could not be loaded: {error.message}</p>;
  }
  return (
    <>
      <label>
        Search{" "}
        <input
          type="search"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      {products.length > 0 ? (
        <ProductTable products={products} />
      ) : (
        <p role="status">Nothing matches “{wanted}”.</p>
      )}
    </>
  );
}
