/** Something that is to be answered before all else: the browser's own dialog, which keeps the focus in itself. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const own = useRef<HTMLDialogElement>(null);
  const isGone = useRef(false);
  const id = useId();
  useEffect(() => {
    const dialog = own.current;
    dialog?.showModal();
    return () => {
      isGone.current = true;
      // Closed before it is taken away, it gives the focus back to where that was.
      dialog?.close();
    };
  }, []);
  return (
    <dialog ref={own} aria-labelledby={id} onClose={() => isGone.current || onClose()}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
