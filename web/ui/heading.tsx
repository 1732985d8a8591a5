/** What a page is of: its heading, and the title of its tab. */
import type { ComponentChildren } from 'preact';
import { useTitle } from '../core/title.ts';
import { useClipped } from './clipped.tsx';

interface HeadingProps {
  readonly title: string;
  /** In smaller letters behind it. */
  readonly beside?: ComponentChildren;
  /** What may be done with all of it. */
  readonly children?: ComponentChildren;
}

export function Heading({ title, beside, children }: HeadingProps) {
  const clipped = useClipped<HTMLHeadingElement>(title);
  useTitle(title);
  return (
    <div class="heading">
      <h1 ref={clipped.ref} class={clipped.kind}>
        {title}
      </h1>
      {clipped.toggle}
      <span class="aside">{beside}</span>
      <div class="actions">{children}</div>
    </div>
  );
}
