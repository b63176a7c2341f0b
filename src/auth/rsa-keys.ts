/** Which of the keys that an issuer publishes may vouch for a token (RFC 7517, RFC 7518 §3.3). */

/** RFC 7518 §3.3: "A key of size 2048 bits or larger MUST be used". */
const fewestBits = 2048;

/** The members of a public RSA key that are looked at. */
export interface RsaKey {
  readonly kty: 'RSA';
  readonly n: string;
  readonly e: string;
}

/** Bits of a base64url number; 0 when it is none. */
function bitsOf(number: string): number {
  if (!/^[\w-]+$/.test(number)) return 0;
  const bytes = Buffer.from(number, 'base64url');
  const first = bytes.findIndex((byte) => byte !== 0);
  const leading = bytes[first];
  return leading === undefined ? 0 : (bytes.length - first) * 8 - Math.clz32(leading) + 24;
}

function isUsable(value: unknown): value is RsaKey {
  if (typeof value !== 'object' || value === null) return false;
  const key = value as Readonly<Record<string, unknown>>;
  const { kty, n, e, use = 'sig', alg = 'RS256' } = key;
  return (
    kty === 'RSA' &&
    use === 'sig' &&
    alg === 'RS256' &&
    typeof e === 'string' &&
    bitsOf(e) > 1 &&
    typeof n === 'string' &&
    bitsOf(n) >= fewestBits
  );
}

/** The keys that verify RS256 signatures; whatever else stands among them is passed over. */
export function rsaKeysAmong(keys: readonly unknown[]): readonly RsaKey[] {
  return keys.filter(isUsable);
}
