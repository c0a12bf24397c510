
// What the engine has beside the language itself.

interface TextEncoder {
  /** The text in UTF-8. */
  encode(text?: string): Uint8Array;
}
declare var TextEncoder: { new (): TextEncoder };

interface TextDecoder {
  decode(octets?: Uint8Array): string;
}
declare var TextDecoder: { new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder };

declare function atob(text: string): string;
declare function btoa(text: string): string;

interface Console {
  debug(...what: unknown[]): void;
  error(...what: unknown[]): void;
  info(...what: unknown[]): void;
  log(...what: unknown[]): void;
  warn(...what: unknown[]): void;
}
/** What is printed is in the router's log. */
declare var console: Console;
