/** The declarations of web-tree-sitter name these, which the types of Node do not have. */
declare type EmscriptenModule = object;

declare namespace WebAssembly {
  type Module = object;
}
