declare module "*.css";

/** Bundled as a file of its own; the import is its address. */
declare module "*.json" {
  const address: string;
  export default address;
}
