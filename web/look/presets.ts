/** Windows that are in use, by modality (Hounsfield units for CT). */
import type { Window } from './image.js';

export interface Preset {
  readonly name: string;
  readonly window: Window;
}

export const presets: Readonly<Record<string, readonly Preset[]>> = {
  CT: [
    { name: 'Soft tissue', window: { center: 40, width: 400 } },
    { name: 'Lung', window: { center: -600, width: 1500 } },
    { name: 'Bone', window: { center: 480, width: 2500 } },
    { name: 'Brain', window: { center: 40, width: 80 } },
    { name: 'Liver', window: { center: 90, width: 150 } },
  ],
};
