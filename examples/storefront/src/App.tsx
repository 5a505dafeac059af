import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";

import { ProductPage } from "./products/ProductPage";

/** The whole shop; `catalogue` is the address products are loaded from. */
export function App({ catalogue }: { catalogue: string }) {
  const [client] = useState(
    () =>
      new QueryClient({
        defaultOptions: { queries: { retry: false, staleTime: 60_000 } },
      }),
  );
  return (
    <QueryClientProvider client={client}>
      <main>
        <h1>Storefront</h1>
        <ProductPage catalogue={catalogue} />
      </main>
    </QueryClientProvider>
  );
}
