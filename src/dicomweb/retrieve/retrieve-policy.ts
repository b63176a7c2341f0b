/** How instances, frames and metadata are sent by each profile. */

export interface RetrievePolicy {
  /**
   * Binary values: named by BulkDataURI or inline as PS3.18 asks, or left out as Microsoft does; encapsulated
   * documents excepted, which viewers find by their URI.
   */
  readonly bulkData: 'named' | 'omitted' | 'documents';
  /** Whether application/octet-stream of instances is their bulk data (PS3.18 table 10.4.4-1). */
  readonly bulkDataOfInstances: boolean;
  /** JSON is UTF-8 whatever the file was: SpecificCharacterSet then says so (PS3.18 §F.2). */
  readonly characterSet: 'utf-8' | 'as-stored';
  /**
   * Values in JSON: as PS3.18 §F.2.3 has them; or as the file spells them, numbers with all their digits (`1.0`) and
   * text with the nulls at its end.
   */
  readonly values: 'as-model' | 'as-written';
  /** RFC 9110 quotes entity tags; the Microsoft server does not. */
  readonly quotedETags: boolean;
  /**
   * Which transfer syntaxes are sent: none with implicit VR or big endian, as PS3.18 §8.7.3 has it, or whatever
   * is stored.
   */
  readonly syntaxes: 'for-web' | 'any';
  /**
   * In which media type a compressed frame comes to those who take bytes in its syntax: in that of the syntax
   * (PS3.18 table 8.7.3-5), or as application/octet-stream.
   */
  readonly compressedFrames: 'own-type' | 'as-asked';
  /** Several frames asked for as a single part: not to be had so, or a bad request as Microsoft has it. */
  readonly severalFramesAlone: 'not-acceptable' | 'invalid-frame-list';
}

export const standardRetrievePolicy: RetrievePolicy = {
  bulkData: 'named',
  bulkDataOfInstances: true,
  characterSet: 'utf-8',
  values: 'as-model',
  quotedETags: true,
  syntaxes: 'for-web',
  compressedFrames: 'own-type',
  severalFramesAlone: 'not-acceptable',
};

export const microsoftRetrievePolicy: RetrievePolicy = {
  bulkData: 'omitted',
  bulkDataOfInstances: false,
  characterSet: 'as-stored',
  values: 'as-written',
  quotedETags: false,
  syntaxes: 'any',
  compressedFrames: 'as-asked',
  severalFramesAlone: 'invalid-frame-list',
};

export const microsoftV2RetrievePolicy: RetrievePolicy = {
  ...microsoftRetrievePolicy,
  bulkData: 'documents',
};
