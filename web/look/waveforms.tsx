/** Waveforms, such as an ECG: each channel as a line over time. */
import { useEffect, useRef } from 'preact/hooks';
import { textOf, type DataSet } from '../dicom/data-set.js';
import { Message } from '../parts/message.js';
import { useRequest } from '../parts/use-request.js';
import { text } from '../text.js';
import { waveformsOf, type Channel, type Waveform } from './waveform.js';

const height = 72;
/** As on ECG paper: 25 mm, or here about 100 pixels, a second. */
const pixelsPerSecond = 100;
const mostPixels = 16_000;

function draw(canvas: HTMLCanvasElement, { samples }: Channel, width: number): void {
  const ratio = Math.min(devicePixelRatio, mostPixels / width);
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.scale(ratio, ratio);
  let least = Infinity;
  let most = -Infinity;
  for (const value of samples) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const span = most - least || 1;
  context.strokeStyle = getComputedStyle(canvas).color;
  context.lineWidth = 1.2;
  context.beginPath();
  for (const [at, value] of samples.entries()) {
    const x = (at / samples.length) * width;
    const y = height - 4 - ((value - least) / span) * (height - 8);
    if (at === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  }
  context.stroke();
}

function ChannelLine({ channel, width }: { readonly channel: Channel; readonly width: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current !== null) draw(canvas.current, channel, width);
  }, [channel, width]);
  return (
    <div class="channel">
      <span class="channel-label">
        {channel.label} <span class="faint">{channel.unit}</span>
      </span>
      <canvas
        ref={canvas}
        role="img"
        aria-label={channel.label}
        style={{ width: `${width}px`, height: `${height}px` }}
      />
    </div>
  );
}

function Group({ waveform }: { readonly waveform: Waveform }) {
  const seconds = (waveform.channels[0]?.samples.length ?? 0) / waveform.frequency;
  const width = Math.max(400, Math.min(seconds * pixelsPerSecond, mostPixels));
  return (
    <section class="waveform">
      <h2>
        {text.viewer.channels(waveform.channels.length)} · {seconds.toFixed(1)} s ·{' '}
        {waveform.frequency} Hz
      </h2>
      {waveform.channels.map((channel, at) => (
        <ChannelLine key={at} channel={channel} width={width} />
      ))}
    </section>
  );
}

export function Waveforms({ instances }: { readonly instances: readonly DataSet[] }) {
  const key = instances.map((instance) => textOf(instance, 'SOPInstanceUID')).join();
  const [loaded, retry] = useRequest(key, async () =>
    (await Promise.all(instances.map(waveformsOf))).flat(),
  );
  if (loaded.state === 'loading') return <Message title={text.loading} />;
  if (loaded.state === 'failed') {
    return <Message title={loaded.message} tone="error" onRetry={retry} />;
  }
  if (loaded.value.length === 0) return <Message title={text.viewer.cannotShow} />;
  return (
    <div class="waveforms" tabIndex={0} role="region" aria-label={text.viewer.title}>
      {loaded.value.map((waveform, at) => (
        <Group key={at} waveform={waveform} />
      ))}
    </div>
  );
}
