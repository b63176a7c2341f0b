/**
 * For which images the Modality LUT, or the rescale, that they carry is part of how they are shown. It
 * is (PS3.4 §N.2.1) unless the table here names the SOP class.
 */

export interface ModalityRule {
  /** What the rule is about, in the words of the documentation. */
  readonly images: string;
  readonly sopClasses: readonly string[];
  readonly transform: 'applied' | 'ignored';
  readonly because: string;
  readonly clause: string;
}

const storage = '1.2.840.10008.5.1.4.1.1.';
const of = (...suffixes: readonly string[]): readonly string[] =>
  suffixes.map((suffix) => storage + suffix);

/** The SOP classes that were gone through. Those that nobody names are shown by the last rule. */
export const modalityRules: readonly ModalityRule[] = [
  {
    images: 'X-Ray Angiographic, X-Ray Radiofluoroscopic, biplane (retired)',
    sopClasses: of('12.1', '12.2', '12.3'),
    transform: 'ignored',
    because: 'the table leads back to X-ray intensity; the window is in stored values',
    clause: 'PS3.4 §N.2.5',
  },
  {
    images: 'Enhanced XA, Enhanced XRF',
    sopClasses: of('12.1.1', '12.2.1'),
    transform: 'ignored',
    because: 'Pixel Intensity Relationship LUTs are for subtraction, and there is no rescale',
    clause: 'PS3.3 §C.7.6.16.2.13',
  },
  {
    images: 'Segmentation',
    sopClasses: of('66.4'),
    transform: 'ignored',
    because: 'the values are fractions or classes and have no units',
    clause: 'PS3.3 §C.8.20.2',
  },
  {
    images: 'X-Ray 3D Angiographic and Craniofacial, Breast Tomosynthesis',
    sopClasses: of('13.1.1', '13.1.2', '13.1.3'),
    transform: 'applied',
    because: 'Pixel Value Transformation of the frame, then the shared one',
    clause: 'PS3.3 §C.7.6.16.2.9',
  },
  {
    images: 'Enhanced CT, MR and PET, Legacy Converted ones',
    sopClasses: of('2.1', '2.2', '4.1', '4.3', '4.4', '130', '128.1'),
    transform: 'applied',
    because: 'Pixel Value Transformation of the frame, then the shared one',
    clause: 'PS3.3 §C.7.6.16.2.9',
  },
  {
    images: 'Positron Emission Tomography',
    sopClasses: of('128'),
    transform: 'applied',
    because: 'each image has a slope of its own, and windows are in its units',
    clause: 'PS3.3 §C.8.9.4',
  },
  {
    images: 'Digital X-Ray, Mammography, Intra-Oral, for presentation and for processing',
    sopClasses: of('1.1', '1.1.1', '1.2', '1.2.1', '1.3', '1.3.1'),
    transform: 'applied',
    because: 'it is the identity; Pixel Intensity Relationship describes, and transforms nothing',
    clause: 'PS3.3 §C.8.11.3.1.2',
  },
  {
    images: 'all others',
    sopClasses: [],
    transform: 'applied',
    because: 'the Modality LUT, or else slope and intercept',
    clause: 'PS3.3 §C.11.1, PS3.4 §N.2.1.1',
  },
];

const ignored: ReadonlySet<string> = new Set(
  modalityRules
    .filter(({ transform }) => transform === 'ignored')
    .flatMap(({ sopClasses }) => sopClasses),
);

/** Whether the modality transform of such images is applied for display. */
export function isModalityTransformShown(sopClass: string | undefined): boolean {
  return sopClass === undefined || !ignored.has(sopClass);
}
