/** A key that is not there yet, or stands in no list: its name is asked for, and then it is written where others are. */
import { useState } from 'preact/hooks';
import { setQuery } from '../core/router.ts';
import { kvWords } from '../words/kv-words.ts';
import { uiWords } from '../words/ui-words.ts';
import { Dialog } from './dialog.tsx';

/** A folder that no list has room for is opened so too. */
function isFolder(name: string): boolean {
  return name.endsWith('/');
}

function placeOf(name: string): Readonly<Record<string, string>> {
  return isFolder(name) ? { folder: name, key: '', search: '' } : { key: name };
}

export function NewKey({ folder }: { readonly folder: string }) {
  const say = kvWords.value;
  const [isOpen, setOpen] = useState(false);
  const [name, setName] = useState('');
  const begin = () => {
    setName(folder);
    setOpen(true);
  };
  return (
    <>
      <button type="button" class="main" onClick={begin}>
        {say.add}
      </button>
      {isOpen && (
        <Dialog title={say.addTitle} onClose={() => setOpen(false)}>
          <form
            method="dialog"
            class="new-key"
            onSubmit={() => name !== '' && setQuery(placeOf(name), { isStep: true })}
          >
            <label>
              {say.nameOf}
              <input
                value={name}
                placeholder={say.nameHint}
                autoComplete="off"
                spellcheck={false}
                onInput={({ currentTarget }) => setName(currentTarget.value)}
              />
            </label>
            <div class="actions">
              <button type="button" onClick={() => setOpen(false)}>
                {uiWords.value.cancel}
              </button>
              <button type="submit" class="main" disabled={name === ''}>
                {isFolder(name) ? say.openFolder : say.add}
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  );
}
