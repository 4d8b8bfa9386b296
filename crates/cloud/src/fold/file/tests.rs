//! There and back, and bytes that are none.

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::*;

type Owned = (Vec<u8>, bool, [f64; 4], Option<Vec<u8>>);

fn written(rows: &[Owned]) -> Vec<u8> {
    let streams = vec!["arn:a".to_owned(), String::new()];
    let meta = Meta { minute_ms: -60_000, revision: 7, through: 9, written_ms: 3, streams };
    let mut writer = Writer::new(None, &meta);
    for (key, changed, set, raw) in rows {
        let row = Row { key, changed: *changed, set: *set, raw: raw.as_deref() };
        writer.push(&row).unwrap();
    }
    writer.finish().unwrap().1
}

fn read(bytes: Vec<u8>, from: &[u8]) -> io::Result<Vec<Owned>> {
    let place = Place::Memory(Arc::new(bytes));
    head(&place)?;
    let mut scan = Arc::new(Index::read(place)?).scan(from);
    let mut rows = Vec::new();
    while let Some(row) = scan.next()? {
        rows.push((row.key.to_vec(), row.changed, row.set, row.raw.map(<[u8]>::to_vec)));
    }
    Ok(rows)
}

fn rows() -> impl Strategy<Value = Vec<Owned>> {
    let key = prop::collection::vec(0_u8..3, 1..600);
    let raw = prop::option::of(prop::collection::vec(any::<u8>(), 0..5));
    let raw = raw.prop_map(|raw| raw.map(|raw| raw.repeat(16)));
    let row = (any::<bool>(), [0.0..9.0, 0.0..9.0, -5.0..9.0, 0.0..9.0_f64], raw);
    let all = prop::collection::btree_map(key, row, 0..400);
    all.prop_map(|all| all.into_iter().map(|(key, (a, b, c))| (key, a, b, c)).collect())
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    /// *Scenario:* any rows; read as a whole, and from the key of one of them.
    /// *Guarantees:* they come back, and no row from there on is missing.
    #[test]
    fn there_and_back(rows in rows(), at in 0_usize..400) {
        let bytes = written(&rows);
        let (meta, count, length) = head(&Place::Memory(Arc::new(bytes.clone()))).unwrap();
        prop_assert_eq!((meta.minute_ms, meta.revision, meta.through), (-60_000, 7, 9));
        prop_assert_eq!((count, length), (rows.len() as u64, bytes.len() as u64));
        prop_assert_eq!(&read(bytes.clone(), &[]).unwrap(), &rows);
        if let Some(row) = rows.get(at) {
            let found = read(bytes, &row.0).unwrap();
            prop_assert!(found.ends_with(&rows[at..]));
        }
    }

    /// *Scenario:* a file with a byte changed or cut short.
    /// *Guarantees:* an error, or the rows as they were; no panic.
    #[test]
    fn damage(rows in rows(), at in any::<prop::sample::Index>(), flip in 1_u8.., cut: bool) {
        let mut bytes = written(&rows);
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= flip;
        }
        if let Ok(found) = read(bytes, &[]) {
            prop_assert_eq!(found, rows);
        }
    }
}
