/** A person's name; isolated, so that one written from right to left leaves what is around it alone. */
import type { PersonName } from '../dicom/data-set.js';
import { formatName } from '../dicom/format.js';
import { text } from '../text.js';

export function Person({ name }: { readonly name: PersonName }) {
  const shown = formatName(name);
  return shown === '' ? <span class="faint">{text.unnamed}</span> : <bdi>{shown}</bdi>;
}
