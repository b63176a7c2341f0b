/**
 * Which names a blob may have. A name becomes the path of a URL, and URLs are normalised and decoded by
 * whoever handles them: a name that any of them could read as a way out of its container is no name.
 */

/** Most characters that Azure allows. */
const mostCharacters = 1024;

// eslint-disable-next-line no-control-regex -- to refuse them
const controls = /[\u0000-\u001f\u007f-\u009f]/;
/** Where `/` is a separator; a backslash is one to some. */
const dotSegment = /(?:^|\/)\.{1,2}(?:\/|$)/;
/** `.`, `/`, `\` and controls, percent-encoded any number of times, overlong UTF-8 included. */
const encoded = /%(?:25)*(?:2e|2f|5c|[01][0-9a-f]|7f|c[01])/i;

/**
 * Why a text is not the name of a blob; `undefined` when it is one. The answer has nothing of the name
 * in it, which may be a patient's.
 */
export function blobNameFault(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name.length > mostCharacters) return `it has more than ${mostCharacters} characters`;
  if (/\p{Surrogate}/u.test(name)) return 'it is not Unicode';
  if (controls.test(name)) return 'it has a control character';
  if (name.includes('\\')) return 'it has a backslash';
  if (dotSegment.test(name)) return 'it has a segment "." or ".."';
  if (encoded.test(name)) return 'it has a percent-encoded separator, period or control character';
  return undefined;
}

/** @throws RangeError when the text is not the name of a blob. */
export function checkBlobName(name: string): void {
  const fault = blobNameFault(name);
  if (fault !== undefined) throw new RangeError(`A blob cannot have this name: ${fault}`);
}
