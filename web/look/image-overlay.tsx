/** What stands over an image: where its edges lie, which image it is, and how it is shown. */
import { text } from '../text.js';
import { edgesOf, type Edge } from './geometry.js';
import type { StackImage, Window } from './image.js';

interface Props {
  readonly image: StackImage;
  readonly index: number;
  readonly count: number;
  readonly window: Window | undefined;
  readonly zoom: number;
  readonly isExact: boolean;
  readonly hasPicture: boolean;
  readonly problem: string | undefined;
}

export function ImageOverlay(props: Props) {
  const { image, index, count, window, zoom, isExact, hasPicture, problem } = props;
  const edges = edgesOf(image.orientation);
  return (
    <div class="overlay">
      {(Object.keys(edges) as Edge[]).map((edge) => (
        <span key={edge} class={`edge edge-${edge}`}>
          {edges[edge]}
        </span>
      ))}
      <span class="overlay-corner overlay-top-left">{text.viewer.image(index + 1, count)}</span>
      <span class="overlay-corner overlay-bottom-left">
        {window !== undefined && text.viewer.window(window.center, window.width)}
      </span>
      <span class="overlay-corner overlay-bottom-right">
        {text.viewer.zoom(zoom)} · {isExact ? text.viewer.exact : text.viewer.preview}
      </span>
      {problem !== undefined && (
        <span class="overlay-message" role="alert">
          {problem}
        </span>
      )}
      {!hasPicture && problem === undefined && (
        <span class="overlay-message" role="status">
          {text.loading}
        </span>
      )}
    </div>
  );
}
