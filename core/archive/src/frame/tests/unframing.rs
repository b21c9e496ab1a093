use super::*;

fn save_and_resume(unframe: &Unframe) -> Option<(Unframe, u64)> {
    let saved: SavedUnframe = serde_json::from_str(&serde_json::to_string(&unframe.save()?).unwrap()).unwrap();
    let position = saved.position();
    Some((Unframe::resume(saved), position))
}

/// Feeds pieces, and stops and goes on at every place that can be saved.
fn unframe_with_stops(stored: &[u8], piece: usize) -> (Vec<u8>, usize) {
    let mut plain = Vec::new();
    let mut collect = |bytes: &[u8]| {
        plain.extend_from_slice(bytes);
        Ok(())
    };
    let (mut unframe, mut position, mut stops) = (Unframe::new(), 0, 0);
    while position < stored.len() {
        let end = stored.len().min(position + piece);
        unframe.feed(&stored[position..end], &mut collect).unwrap();
        position = end;
        if let Some((resumed, to)) = save_and_resume(&unframe)
            && (to as usize) > end.saturating_sub(piece)
        {
            assert!(to as usize <= end);
            (unframe, position) = (resumed, to as usize);
            stops += 1;
        }
    }
    unframe.finish(&mut collect).unwrap();
    (plain, stops)
}

#[test]
fn a_place_saved_at_any_frame_leads_to_the_same_bytes() {
    let plain = dump(300_000);
    for compression in [Compression::Gzip, Compression::Zstd, Compression::None] {
        let stored = store(compression, &plain, 10_000);
        for piece in [4_001, 9_973, 50_000] {
            let (resumed, stops) = unframe_with_stops(&stored, piece);
            assert!(resumed == plain, "{compression} {piece}");
            assert!(stops > 1, "{compression} {piece}: {stops}");
        }
    }
}

#[test]
fn a_saved_place_is_small_and_never_ahead_of_what_was_fed() {
    let stored = store(Compression::Gzip, &dump(3 * FRAME_SIZE), FRAME_SIZE);
    let first = u32::from_le_bytes(stored[16..20].try_into().unwrap()) as usize;
    let mut unframe = Unframe::new();
    unframe.feed(&stored[..first + 5000], &mut |_| Ok(())).unwrap();
    let saved = unframe.save().unwrap();
    assert_eq!(saved.position(), first as u64);
    assert!(serde_json::to_string(&saved).unwrap().len() < 200);
}

#[test]
fn a_foreign_stream_cannot_be_saved_half_way() {
    for stored in [anybodys_gzip(&dump(300_000)), anybodys_zstd(&dump(300_000))] {
        let mut unframe = Unframe::new();
        unframe.feed(&stored[..stored.len() / 2], &mut |_| Ok(())).unwrap();
        assert_eq!(unframe.save(), None);
        unframe.feed(&stored[stored.len() / 2..], &mut |_| Ok(())).unwrap();
        assert_eq!(unframe.save().unwrap().position(), stored.len() as u64);
    }
}

#[test]
fn what_the_content_shows_stops_the_unframing() {
    let stored = store(Compression::Gzip, &dump(1000), 100);
    let mut seen = 0;
    let found = Unframe::new().feed(&stored, &mut |bytes| {
        seen += bytes.len();
        if seen < 300 { Ok(()) } else { Err(Damage::TrailingBytes { offset: 300 }) }
    });
    assert_eq!((found, seen), (Err(Damage::TrailingBytes { offset: 300 }), 300));
}
