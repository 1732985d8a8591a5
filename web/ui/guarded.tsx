/** A page that throws says so in its place, and all around it lives on. */
import type { ComponentChildren } from 'preact';
import { useErrorBoundary } from 'preact/hooks';
import { shellWords } from '../words/shell-words.ts';
import { Copyable } from './commands.tsx';
import { Empty } from './empty.tsx';

export function Guarded({ children }: { readonly children: ComponentChildren }) {
  // The browser's console has where it was thrown.
  const [error, tryAgain] = useErrorBoundary((thrown) => reportError(thrown)) as [
    unknown,
    () => void,
  ];
  if (error === undefined) return <>{children}</>;
  const say = shellWords.value;
  return (
    <Empty title={say.broken} hint={say.brokenHint}>
      <Copyable text={error instanceof Error ? `${error.name}: ${error.message}` : String(error)} />
      <div class="actions">
        <button type="button" onClick={tryAgain}>
          {say.again}
        </button>
        <button type="button" onClick={() => location.reload()}>
          {say.loadAnew}
        </button>
      </div>
    </Empty>
  );
}
