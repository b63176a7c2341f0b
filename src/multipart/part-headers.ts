/** The header fields of one part of a multipart body (RFC 2046 §5.1). */

/** Fields with their values unfolded, as they came. */
export interface PartHeaders {
  /** Fields in the order they came, names as written. */
  readonly entries: readonly (readonly [name: string, value: string])[];
  /** The first value under this name, whatever its letter case. */
  get(name: string): string | undefined;
}

/** Gives the fields of a part a look-up by name (RFC 2045 §1: names in any letter case). */
export function partHeaders(entries: readonly (readonly [string, string])[]): PartHeaders {
  return {
    entries,
    get(name) {
      const lowerCase = name.toLowerCase();
      return entries.find(([key]) => key.toLowerCase() === lowerCase)?.[1];
    },
  };
}
