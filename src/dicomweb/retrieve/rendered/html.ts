/** Pages made of what somebody stored: everything is escaped, and nothing in them may run or load. */

/** Text as it may stand between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** Even if something were to slip through: no script, no request, no frame, no form. */
export const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; sandbox";

const style =
  'body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}' +
  'dt{font-weight:600}dd{margin:0 0 .5rem 1rem}pre{white-space:pre-wrap}li{margin:.25rem 0}' +
  'ul{padding-left:1.25rem}.v{white-space:pre-wrap}';

/**
 * A whole page.
 *
 * @param title text.
 * @param body HTML, made of escaped text.
 */
export function htmlPage(title: string, body: string): string {
  return (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">' +
    `<title>${escapeHtml(title)}</title><style>${style}</style></head>\n` +
    `<body><h1>${escapeHtml(title)}</h1>\n${body}\n</body></html>\n`
  );
}
