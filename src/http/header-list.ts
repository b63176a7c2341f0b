/**
 * Takes header values apart at separators that stand outside of quoted strings (RFC 9110 §5.6), and
 * is lenient: a quote that is never closed is an ordinary character.
 */

/** The trimmed, non-empty pieces of `text` between `separator`s that are not quoted. */
export function splitUnquoted(text: string, separator: ',' | ';'): string[] {
  const pieces: string[] = [];
  let start = 0;
  let quoting = true;
  for (let at = 0; at <= text.length; at++) {
    if (at === text.length || text[at] === separator) {
      pieces.push(text.slice(start, at).trim());
      start = at + 1;
    } else if (quoting && text[at] === '"') {
      const end = closingQuote(text, at);
      // Looked for once only: header values come from anyone and may be all quotes.
      if (end === undefined) quoting = false;
      else at = end;
    }
  }
  return pieces.filter((piece) => piece !== '');
}

/** The value of a token or quoted string, without quotes and escapes. */
export function unquote(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith('"')) return trimmed;
  const end = closingQuote(trimmed, 0) ?? trimmed.length;
  return trimmed.slice(1, end).replace(/\\(.)/g, '$1');
}

function closingQuote(text: string, opening: number): number | undefined {
  for (let at = opening + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return undefined;
}
