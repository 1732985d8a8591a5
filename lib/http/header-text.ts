/** Texts in headers of our own: a node may be called what no header may hold. */

/** Whether it arrives as it was sent: Node refuses some, and trims or misreads others. */
export function isHeaderText(text: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text);
}

/** What `fromHeaderText` reads again; most names stay as they are. */
export function headerText(text: string): string {
  const plain = isHeaderText(text) && !text.includes('%');
  return plain ? text : encodeURIComponent(Buffer.from(text).toString());
}

export function fromHeaderText(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch {
    // Somebody wrote it who does not encode.
    return header;
  }
}
