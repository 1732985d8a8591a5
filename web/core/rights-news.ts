/** Something was answered that says that the token may do otherwise by now: what it may is asked again. */
import { signal } from '@preact/signals';

/** Another one with each. */
export const rightsNews = signal(0);

export function noteRightsNews(): void {
  rightsNews.value = rightsNews.peek() + 1;
}
