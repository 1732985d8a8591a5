/** Names keys, and goes with whoever may see them. */
export const CHOSEN_FORMS = 'forms';

const PREFIX = 'proconsul.';

/** What is remembered on this device; where nothing may be stored it is remembered until the page is left. */
export function stored(name: string, where: 'local' | 'session' = 'local') {
  const key = PREFIX + name;
  const storage = () => (where === 'local' ? localStorage : sessionStorage);
  return {
    read: (): string => attempt(() => storage().getItem(key)) ?? '',
    write: (text: string): void => {
      attempt(() => (text === '' ? storage().removeItem(key) : storage().setItem(key, text)));
    },
  };
}

/** All that this tab has remembered for itself. */
export function forgetTab(): void {
  attempt(() => {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
    }
  });
}

function attempt<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch {
    // A reader may have forbidden it.
    return undefined;
  }
}
