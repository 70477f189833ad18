const REVOKE_MS = 60_000;

/** Hands bytes to the browser as a download. */
export function save(content: BlobPart, mediaType: string, name: string): void {
  const address = URL.createObjectURL(new Blob([content], { type: mediaType }));
  const link = Object.assign(document.createElement('a'), { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), REVOKE_MS);
}
