/** Where the focus goes when what had it is gone: to the beginning of the page, and not to nowhere. */

export function focusPage(): void {
  document.getElementById('content')?.focus({ preventScroll: true });
}

/** Of a page that changes while somebody is on it: what he has just pressed may not be there any more. */
export function startFocus(): void {
  let last: EventTarget | null = null;
  document.addEventListener('focusin', ({ target }) => {
    last = target;
  });
  const look = () => {
    if (!(last instanceof Element) || last.isConnected) return;
    last = null;
    if (document.activeElement === document.body) focusPage();
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}
