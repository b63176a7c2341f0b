/** Times as .NET writes them, with seven digits of a second. */
export function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '0000Z');
}
