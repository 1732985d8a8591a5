/** What a page is of: its heading, and the title of its tab. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { datacenter } from '../core/router.ts';

interface HeadingProps {
  readonly title: string;
  /** In smaller letters behind it. */
  readonly beside?: ComponentChildren;
  /** What may be done with all of it. */
  readonly children?: ComponentChildren;
}

/** Of so many letters it may be cut. */
const LONG = 80;

export function Heading({ title, beside, children }: HeadingProps) {
  const dc = datacenter.value;
  useEffect(() => {
    document.title = `${title} · ${dc} · Proconsul`;
  }, [title, dc]);
  return (
    <div class="heading">
      <h1 title={title.length > LONG ? title : undefined}>{title}</h1>
      <span class="aside">{beside}</span>
      <div class="actions">{children}</div>
    </div>
  );
}
