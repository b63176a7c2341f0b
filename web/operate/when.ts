/** A time as it is told under Operate: of this machine, in its language. */
export function when(time: string): string {
  return new Date(time).toLocaleString();
}
