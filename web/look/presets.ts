/** Windows that are in use, by modality (Hounsfield units for CT). */
import { text } from '../text.js';
import type { Window } from './image.js';

export interface Preset {
  readonly name: string;
  readonly window: Window;
}

export const presets: Readonly<Record<string, readonly Preset[]>> = {
  CT: [
    { name: text.viewer.windows.softTissue, window: { center: 40, width: 400 } },
    { name: text.viewer.windows.lung, window: { center: -600, width: 1500 } },
    { name: text.viewer.windows.bone, window: { center: 480, width: 2500 } },
    { name: text.viewer.windows.brain, window: { center: 40, width: 80 } },
    { name: text.viewer.windows.liver, window: { center: 90, width: 150 } },
  ],
};
