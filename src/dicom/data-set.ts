/**
 * The DICOM JSON model (PS3.18 Annex F) as the service's own view of a data set: what is stored in
 * rows, matched by searches and sent as metadata.
 */
import type { Tag } from './tag.js';
import type { VR } from './vr.js';

/** A person name in its three component groups (PS3.18 §F.2.2); empty groups are left out. */
export interface PersonName {
  readonly Alphabetic?: string;
  readonly Ideographic?: string;
  readonly Phonetic?: string;
}

/** One value of an element; `null` stands for an empty value within several (PS3.18 §F.2.5). */
export type Value = string | number | PersonName | DataSet | null;

/** One attribute. At most one of Value, InlineBinary and BulkDataURI is there; none means empty. */
export interface Element {
  readonly vr: VR;
  readonly Value?: readonly Value[];
  /** Base64 of little-endian bytes. */
  readonly InlineBinary?: string;
  /**
   * Where the value can be had. In stored data sets this is the attribute path alone
   * (`7FE00010`, `54000100/0/54001010`); a response makes it absolute.
   */
  readonly BulkDataURI?: string;
}

/** An attribute with its tag. */
export type Attribute = readonly [tag: Tag, element: Element];

/** Attributes by tag, in ascending order of tag. */
export type DataSet = { readonly [tag: Tag]: Element };
