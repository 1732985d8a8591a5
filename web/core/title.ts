/** What a tab of the browser says of its page. */
import { useEffect } from 'preact/hooks';
import { datacenter } from './router.ts';

export function useTitle(title: string): void {
  const dc = datacenter.value;
  useEffect(() => {
    document.title = `${title} · ${dc} · Proconsul`;
  }, [title, dc]);
}
