import {
  createColumnHelper,
  flexRender,
  getCoreRowModel,
  getSortedRowModel,
  useReactTable,
  type SortingState,
} from "@tanstack/react-table";
import { useState } from "react";

import { formatPrice, type Product } from "./product";

const column = createColumnHelper<Product>();

const columns = [
  column.accessor("name", { header: "Product" }),
  column.accessor("category", { header: "Category" }),
  column.accessor("price", {
    header: "Price",
    cell: (cell) => formatPrice(cell.getValue()),
    sortDescFirst: false,
  }),
  column.accessor("stock", {
    header: "Stock",
    cell: (cell) => (cell.getValue() > 0 ? cell.getValue() : "sold out"),
    sortDescFirst: true,
  }),
];

const DIRECTIONS = { asc: "ascending", desc: "descending" } as const;

/** Products as a table; a click on a heading sorts by it. */
export function ProductTable({ products }: { products: Product[] }) {
  const [sorting, setSorting] = useState<SortingState>([]);
  const table = useReactTable({
    data: products,
    columns,
    state: { sorting },
    onSortingChange: setSorting,
    getRowId: (product) => product.id,
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
  });
  return (
    <table>
      <thead>
        {table.getHeaderGroups().map((group) => (
          <tr key={group.id}>
            {group.headers.map((header) => {
              const sorted = header.column.getIsSorted();
              return (
                <th
                  key={header.id}
                  scope="col"
                  aria-sort={sorted ? DIRECTIONS[sorted] : "none"}
                >
                  <button
                    type="button"
                    onClick={header.column.getToggleSortingHandler()}
                  >
                    {flexRender(
                      header.column.columnDef.header,
                      header.getContext(),
                    )}
                  </button>
                </th>
              );
            })}
          </tr>
        ))}
      </thead>
      <tbody>
        {table.getRowModel().rows.map((row) => (
          <tr key={row.id}>
            {row.getVisibleCells().map((cell) => (
              <td key={cell.id}>
                {flexRender(cell.column.columnDef.cell, cell.getContext())}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
