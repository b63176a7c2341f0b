/** The tools of the viewer. */
import { Icon, type IconName } from '../parts/icon.js';
import { text } from '../text.js';
import type { Window } from './image.js';
import { presets } from './presets.js';

/** What a drag does. */
export type Tool = 'window' | 'pan' | 'zoom' | 'measure';

interface Props {
  readonly tool: Tool;
  readonly onTool: (tool: Tool) => void;
  readonly modality: string;
  /** The window that the image carries. */
  readonly stored: Window | undefined;
  /** The window of all its values. */
  readonly full: Window | undefined;
  readonly onWindow: (window: Window | undefined) => void;
  readonly onInvert: () => void;
  readonly onFit: () => void;
  readonly onActualSize: () => void;
  readonly onReset: () => void;
  readonly canPlay: boolean;
  readonly isPlaying: boolean;
  readonly onPlay: () => void;
  readonly speed: number;
  readonly onSpeed: (framesPerSecond: number) => void;
}

const tools: readonly (readonly [Tool, string])[] = [
  ['window', text.viewer.toolWindow],
  ['pan', text.viewer.toolPan],
  ['zoom', text.viewer.toolZoom],
  ['measure', text.viewer.toolMeasure],
];

interface ButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly pressed?: boolean;
  readonly onClick: () => void;
}

function ToolButton({ icon, label, pressed, onClick }: ButtonProps) {
  return (
    <button
      type="button"
      title={label}
      aria-label={label}
      {...(pressed !== undefined && { 'aria-pressed': pressed })}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

export function Toolbar(props: Props) {
  const { tool, onTool, modality, stored, full, onWindow, canPlay, isPlaying, speed } = props;
  const whole = full === undefined ? [] : [{ name: text.viewer.fullRange, window: full }];
  const windows = [
    // The one that is shown at first is the first.
    ...(stored === undefined ? whole : [{ name: text.viewer.stored, window: stored }]),
    ...(presets[modality] ?? []),
    ...(stored === undefined ? [] : whole),
  ];
  return (
    <div class="toolbar" role="toolbar" aria-label={text.viewer.tools}>
      <div class="tool-group">
        {tools.map(([name, label]) => (
          <ToolButton
            key={name}
            icon={name}
            label={label}
            pressed={tool === name}
            onClick={() => onTool(name)}
          />
        ))}
      </div>
      <div class="tool-group">
        <ToolButton icon="invert" label={text.viewer.invert} onClick={props.onInvert} />
        <ToolButton icon="fit" label={text.viewer.fit} onClick={props.onFit} />
        <button type="button" onClick={props.onActualSize}>
          {text.viewer.actualSize}
        </button>
        <ToolButton icon="reset" label={text.viewer.reset} onClick={props.onReset} />
      </div>
      {windows.length > 0 && (
        <select
          aria-label={text.viewer.presets}
          onChange={(event) => onWindow(windows[event.currentTarget.selectedIndex]?.window)}
        >
          {windows.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
      {canPlay && (
        <div class="tool-group">
          <ToolButton
            icon={isPlaying ? 'pause' : 'play'}
            label={isPlaying ? text.viewer.pause : text.viewer.play}
            onClick={props.onPlay}
          />
          <label class="speed">
            <input
              type="range"
              min={1}
              max={60}
              value={speed}
              aria-label={text.viewer.speed}
              onInput={(event) => props.onSpeed(Number(event.currentTarget.value))}
            />
            <span>{Math.round(speed)} /s</span>
          </label>
        </div>
      )}
    </div>
  );
}
