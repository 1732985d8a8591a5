/** What a page is of: its heading, and the title of its tab. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { datacenter } from '../core/router.ts';
import { useClipped } from './clipped.tsx';

interface HeadingProps {
  readonly title: string;
  /** In smaller letters behind it. */
  readonly beside?: ComponentChildren;
  /** What may be done with all of it. */
  readonly children?: ComponentChildren;
}

export function Heading({ title, beside, children }: HeadingProps) {
  const dc = datacenter.value;
  const clipped = useClipped<HTMLHeadingElement>(title);
  useEffect(() => {
    document.title = `${title} · ${dc} · Proconsul`;
  }, [title, dc]);
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
