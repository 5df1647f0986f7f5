/** Where the ancestor has files: it plays from any number of storages, and records into one of them. */
import { resolve } from 'node:path';
import type { Application } from './applications.ts';
import type { LuaFields } from './lua-fields.ts';
import { at } from './piece.ts';

export interface MediaFolder {
  readonly dir: string;
  readonly remark: string;
}

export interface MediaFolders {
  readonly vod: MediaFolder | undefined;
  readonly recording: MediaFolder | undefined;
}

/** The first of each; the others are told. */
export function readMediaFolders(
  applications: readonly Application[],
  folder: string,
  remarks: string[],
): MediaFolders {
  let vod: MediaFolder | undefined;
  let recording: MediaFolder | undefined;
  for (const { name, fields } of applications) {
    const line = fields.lineOf('mediaFolder');
    const old = fields.text('mediaFolder');
    const storages = readStorages(fields.table('mediaStorage'), remarks);
    if (old !== undefined) storages.unshift({ line, path: old, isForRecordings: false });
    for (const { line: of, path, isForRecordings } of storages) {
      const found = { dir: resolve(folder, path), remark: at(of, name) };
      if (isForRecordings && recording === undefined) recording = found;
      else if (vod === undefined && !isForRecordings) vod = found;
      else
        remarks.push(`${at(of, name)}: mediaFolder: files are in one folder here, and recordings`);
    }
  }
  return { vod, recording };
}

interface Storage {
  readonly line: number;
  readonly path: string;
  readonly isForRecordings: boolean;
}

/** Tables with or without a name, and the name of the one for recordings. */
function readStorages(list: LuaFields | undefined, remarks: string[]): Storage[] {
  if (list === undefined) return [];
  const recorded = list.text('recordedStreamsStorage');
  const named = list.rest().map(({ key }) => ({ key, table: list.table(key) }));
  const unnamed = list.tables().map((table) => ({ key: undefined, table }));
  return [...named, ...unnamed].flatMap(({ key, table }) => {
    if (table === undefined) return [];
    const { line } = table;
    const path = table.text('mediaFolder');
    table.text('description');
    const others = table.rest().map((each) => each.key);
    if (others.length > 0) {
      remarks.push(`line ${line}: ${others.join(', ')}: no counterpart here`);
    }
    if (path !== undefined) {
      return [{ line, path, isForRecordings: key !== undefined && key === recorded }];
    }
    remarks.push(`line ${line}: a storage without mediaFolder`);
    return [];
  });
}
