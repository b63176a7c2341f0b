/** Whether a file is DICOM, found out from its first bytes before anything is sent. */

const preambleBytes = 128;

/** Group 0002 or 0008 in little endian with a VR: a data set without preamble, as old archives have. */
function isBareDataSet(head: Uint8Array): boolean {
  const [group = 0, high = 1, , , first = 0, second = 0] = head;
  const isLetter = (code: number) => code >= 0x41 && code <= 0x5a;
  return (group === 2 || group === 8) && high === 0 && isLetter(first) && isLetter(second);
}

/** Reads 132 bytes of a file. */
export async function isDicom(file: Blob): Promise<boolean> {
  const head = new Uint8Array(await file.slice(0, preambleBytes + 4).arrayBuffer());
  const magic = String.fromCharCode(...head.subarray(preambleBytes));
  return magic === 'DICM' || isBareDataSet(head);
}
