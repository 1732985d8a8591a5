import { Buffers } from '../../../sidecar/http/buffers.ts';

/** Where nobody is cut for what he does not take. */
export function boundlessBuffers(): Buffers {
  return new Buffers({ maxBytes: Number.POSITIVE_INFINITY, cut: () => undefined });
}
