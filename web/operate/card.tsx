/** A card of the view, and one whose content is asked for: on its way, there, or failed with a way on. */
import type { ComponentChildren } from 'preact';
import { Message } from '../parts/message.js';
import type { Loaded } from '../parts/use-request.js';
import { text } from '../text.js';

interface CardProps {
  readonly title: string;
  readonly children: ComponentChildren;
}

export function Card({ title, children }: CardProps) {
  return (
    <section class="card" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

interface LoadedCardProps<T> {
  readonly title: string;
  readonly loaded: Loaded<T>;
  readonly onRetry: () => void;
  /** What went wrong with what was asked for last. */
  readonly problem?: string | undefined;
  readonly children: (value: T) => ComponentChildren;
}

export function LoadedCard<T>({ title, loaded, onRetry, problem, children }: LoadedCardProps<T>) {
  return (
    <Card title={title}>
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {loaded.state === 'loading' && <p class="faint">{text.loading}</p>}
      {loaded.state === 'failed' && (
        <Message title={loaded.message} tone="error" onRetry={onRetry} />
      )}
      {loaded.state === 'there' && children(loaded.value)}
    </Card>
  );
}
