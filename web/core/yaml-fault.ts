/** Loaded when YAML is first shown: few look at any. */
import {
  CORE_SCHEMA,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  loadAll,
  realMapTag,
  YAMLException,
} from 'js-yaml';
import type { Fault } from './fault.ts';

/** What a tag means whoever reads the key knows, and nobody here: any of them may be one of his. */
const ANY_TAG = { matchByTagPrefix: true, identify: () => false } as const;
const SCHEMA = CORE_SCHEMA.withTags(
  realMapTag,
  defineScalarTag('', { ...ANY_TAG, resolve: (text) => text }),
  defineSequenceTag('', { ...ANY_TAG, create: () => [], addItem: () => undefined }),
  defineMappingTag('', { ...realMapTag, ...ANY_TAG }),
);
/** Beyond it nobody has written it by hand. */
const MAX_DEPTH = 1000;

export function yamlFault(text: string): Fault | undefined {
  try {
    loadAll(text, { schema: SCHEMA, maxDepth: MAX_DEPTH });
    return undefined;
  } catch (error) {
    // Whatever else it throws is no fault of the text.
    if (!(error instanceof YAMLException)) return undefined;
    const { reason: says, mark } = error;
    return mark === undefined
      ? { line: 0, column: 0, says }
      : { line: mark.line + 1, column: mark.column + 1, says };
  }
}
