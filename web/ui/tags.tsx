/** Tags in one line, as many as have room: all of them where the pointer rests. */
import { count } from '../words/words.ts';

const SHOWN = 6;
/** Nobody reads more of them where the pointer rests. */
const SAID = 60;

export function Tags({ tags }: { readonly tags: readonly string[] }) {
  const left = tags.length - SHOWN;
  return (
    <span class="tags" title={tags.length > 1 ? tags.slice(0, SAID).join(', ') : undefined}>
      {tags.slice(0, SHOWN).map((tag) => (
        <span key={tag} class="tag">
          {tag}
        </span>
      ))}
      {left > 0 && <span class="aside">+{count(left)}</span>}
    </span>
  );
}
