/** Which data centre is asked for. */
import { signal } from '@preact/signals';

/** '' while it is that of the server which served the page. */
export const otherDatacenter = signal('');
