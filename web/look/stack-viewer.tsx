/** A stack of images: scrolled, played, windowed, zoomed, moved and measured. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { messageOf } from '../api/client.js';
import { textOf } from '../dicom/data-set.js';
import { text } from '../text.js';
import { FrameCache } from './frame-cache.js';
import { centred, fitScale, type Placement, type Point } from './geometry.js';
import type { StackImage, Window } from './image.js';
import { ImageOverlay } from './image-overlay.js';
import { drawGray, fullRange, hasExactPixels } from './pixels.js';
import { drawScene, type Line } from './scene.js';
import { Toolbar, type Tool } from './toolbar.js';

interface Props {
  readonly path: string;
  readonly stack: readonly StackImage[];
}

/** What a drag does with each tool; the length is drawn while it goes on. */
interface Drag {
  readonly from: Point;
  readonly placement: Placement;
  readonly window: Window | undefined;
}

const defaultSpeed = 12;

function useSize(element: { readonly current: HTMLElement | null }) {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const { current } = element;
    if (current === null) return undefined;
    const observer = new ResizeObserver(() => {
      setSize({ width: current.clientWidth, height: current.clientHeight });
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return size;
}

export function StackViewer({ path, stack }: Props) {
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const drag = useRef<Drag | undefined>(undefined);
  const lastIndex = useRef(0);
  const size = useSize(stage);
  const [index, setIndex] = useState(0);
  const [tool, setTool] = useState<Tool>('window');
  const [placement, setPlacement] = useState<Placement>(centred);
  const [chosenWindow, setChosenWindow] = useState<Window>();
  const [isInverted, setInverted] = useState(false);
  const [line, setLine] = useState<Line>();
  const [isPlaying, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(stack[0]?.framesPerSecond ?? defaultSpeed);
  const [, setVersion] = useState(0);

  const image = stack[index];
  const cache = useMemo(
    () => new FrameCache(path, stack, () => setVersion((before) => before + 1)),
    [path, stack],
  );
  useEffect(() => () => cache.close(), [cache]);
  const scratch = useMemo(() => new OffscreenCanvas(1, 1), []);

  const wantsPixels = !isPlaying;
  useEffect(() => {
    cache.show(index, index >= lastIndex.current ? 1 : -1, wantsPixels);
    lastIndex.current = index;
  }, [cache, index, wantsPixels]);

  const picture = cache.get(index);
  const { pixels, preview, error } = picture;
  const ownWindow = image?.window ?? (pixels === undefined ? undefined : fullRange(pixels));
  const window = chosenWindow ?? ownWindow;

  useEffect(() => {
    const target = canvas.current;
    if (target === null || image === undefined || size.width === 0) return;
    let source: CanvasImageSource | undefined = preview;
    if (pixels !== undefined && window !== undefined) {
      drawGray(scratch, image, pixels, window, isInverted);
      source = scratch;
    }
    drawScene(target, size, image, placement, {
      source,
      line,
      isInverted: isInverted && source === preview,
    });
  });

  const scroll = (steps: number) => {
    setIndex((before) => Math.max(0, Math.min(stack.length - 1, before + steps)));
    setLine(undefined);
  };
  const zoomBy = (factor: number) => {
    setPlacement((before) => ({
      ...before,
      zoom: Math.max(0.1, Math.min(40, before.zoom * factor)),
    }));
  };
  const reset = () => {
    setPlacement(centred);
    setChosenWindow(undefined);
    setInverted(false);
    setLine(undefined);
  };
  const actualSize = () => {
    if (image === undefined) return;
    const fit = fitScale(image, size.width, size.height);
    setPlacement({ zoom: 1 / fit, x: 0, y: 0 });
  };

  useEffect(() => {
    if (!isPlaying) return undefined;
    const timer = setInterval(() => {
      setIndex((before) => {
        const next = (before + 1) % stack.length;
        const { preview: there, pixels: exact, error: failed } = cache.get(next);
        // What has not come yet is waited for, rather than shown as a gap.
        return (there ?? exact ?? failed) ? next : before;
      });
    }, 1000 / speed);
    return () => clearInterval(timer);
  }, [isPlaying, speed, cache, stack.length]);

  const pointOf = (event: { clientX: number; clientY: number }): Point => {
    const box = canvas.current?.getBoundingClientRect();
    return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) };
  };
  const move = (event: PointerEvent) => {
    const { current } = drag;
    if (current === undefined || image === undefined) return;
    const point = pointOf(event);
    const across = point.x - current.from.x;
    const down = point.y - current.from.y;
    const { zoom, x, y } = current.placement;
    const actions: Readonly<Record<Tool, () => void>> = {
      pan: () => setPlacement({ zoom, x: x + across, y: y + down }),
      zoom: () => setPlacement({ x, y, zoom: Math.max(0.1, zoom * Math.exp(-down / 150)) }),
      measure: () => setLine({ from: current.from, to: point, placement: current.placement }),
      window: () => {
        if (current.window === undefined || !hasExactPixels(image)) return;
        const { center, width } = current.window;
        const step = Math.max(width / 250, 0.01);
        setChosenWindow({
          center: center + down * step,
          width: Math.max(1, width + across * step),
        });
      },
    };
    actions[tool]();
  };

  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => scroll(1),
    ArrowRight: () => scroll(1),
    ArrowUp: () => scroll(-1),
    ArrowLeft: () => scroll(-1),
    PageDown: () => scroll(10),
    PageUp: () => scroll(-10),
    Home: () => scroll(-stack.length),
    End: () => scroll(stack.length),
    ' ': () => setPlaying(!isPlaying),
    i: () => setInverted(!isInverted),
    f: () => setPlacement(centred),
    r: reset,
    '+': () => zoomBy(1.25),
    '-': () => zoomBy(0.8),
  };

  if (image === undefined) return null;
  return (
    <div
      class="viewer"
      tabIndex={0}
      role="group"
      aria-label={text.viewer.image(index + 1, stack.length)}
      onKeyDown={(event) => {
        if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) {
          return;
        }
        const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
        if (action === undefined) return;
        event.preventDefault();
        action();
      }}
    >
      <Toolbar
        tool={tool}
        onTool={setTool}
        modality={textOf(image.dataSet, 'Modality')}
        stored={image.window}
        full={pixels === undefined ? undefined : fullRange(pixels)}
        onWindow={setChosenWindow}
        onInvert={() => setInverted(!isInverted)}
        onFit={() => setPlacement(centred)}
        onActualSize={actualSize}
        onReset={reset}
        canPlay={stack.length > 1}
        isPlaying={isPlaying}
        onPlay={() => setPlaying(!isPlaying)}
        speed={speed}
        onSpeed={setSpeed}
      />
      <div
        class={`stage tool-${tool}`}
        ref={stage}
        onWheel={(event) => {
          event.preventDefault();
          if (event.ctrlKey) zoomBy(Math.exp(-event.deltaY / 200));
          else scroll(Math.sign(event.deltaY));
        }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { from: pointOf(event), placement, window };
        }}
        onPointerMove={move}
        onPointerUp={() => {
          drag.current = undefined;
        }}
        onPointerCancel={() => {
          drag.current = undefined;
        }}
      >
        <canvas ref={canvas} role="img" aria-label={text.viewer.image(index + 1, stack.length)} />
        <ImageOverlay
          image={image}
          index={index}
          count={stack.length}
          window={image.isGray ? window : undefined}
          zoom={placement.zoom * fitScale(image, size.width, size.height)}
          isExact={pixels !== undefined}
          hasPicture={pixels !== undefined || preview !== undefined}
          problem={error === undefined ? undefined : messageOf(error)}
        />
      </div>
      {stack.length > 1 && (
        <input
          class="stack-slider"
          type="range"
          min={0}
          max={stack.length - 1}
          value={index}
          aria-label={text.viewer.scroll}
          onInput={(event) => setIndex(Number(event.currentTarget.value))}
        />
      )}
      <p class="hint wide-only">{text.viewer.keys}</p>
    </div>
  );
}
