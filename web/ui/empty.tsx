/** Nothing to show: why, and what to do next. */
import type { ComponentChildren } from 'preact';

interface EmptyProps {
  readonly title: string;
  /** What to do next; undefined where all that can be said is what a server said. */
  readonly hint: ComponentChildren;
  readonly children?: ComponentChildren;
}

export function Empty({ title, hint, children }: EmptyProps) {
  return (
    <section class="empty">
      <h2>{title}</h2>
      {hint !== undefined && <p>{hint}</p>}
      {children}
    </section>
  );
}
