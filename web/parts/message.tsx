/** A sentence in the place of content: something failed, is on its way, or is not there. */
import type { ComponentChildren } from 'preact';
import { text } from '../text.js';

interface Props {
  readonly title: string;
  readonly children?: ComponentChildren;
  /** A way on, where trying again makes sense. */
  readonly onRetry?: () => void;
  readonly tone?: 'plain' | 'error';
}

export function Message({ title, children, onRetry, tone = 'plain' }: Props) {
  return (
    <div class={`message message-${tone}`} role={tone === 'error' ? 'alert' : 'status'}>
      <p class="message-title">{title}</p>
      {children}
      {onRetry && (
        <button type="button" class="button" onClick={onRetry}>
          {text.retry}
        </button>
      )}
    </div>
  );
}
