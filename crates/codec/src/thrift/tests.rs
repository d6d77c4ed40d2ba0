//! The reader by itself: bounds, and every type in both protocols.

use super::*;

fn skipped<P: Protocol>(bytes: &[u8], kind: Kind) -> Result<usize, ThriftError> {
    let mut reader = Reader::<P>::new(bytes);
    reader.skip(kind)?;
    Ok(reader.byte())
}

#[test]
fn a_count_of_elements_needs_as_many_bytes() {
    for count in [3, i32::MAX, -1, i32::MIN] {
        let bytes = [&[2][..], &count.to_be_bytes(), &[1, 1]].concat();
        let why = ThriftError::CountBeyondEnd {
            count: i64::from(count),
            left: 2,
        };
        assert_eq!(Reader::<Binary>::new(&bytes).list(), Err(why), "{count}");
    }
    let bytes = [0xf1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1];
    let why = ThriftError::CountBeyondEnd {
        count: i64::from(u32::MAX),
        left: 1,
    };
    assert_eq!(Reader::<Compact>::new(&bytes).list(), Err(why));
    let pairs = [0x02, 0x11, 1, 1, 1];
    assert!(skipped::<Compact>(&pairs, Kind::Map).is_err());
    assert_eq!(
        skipped::<Compact>(&[&pairs[..], &[1]].concat(), Kind::Map),
        Ok(6)
    );
    assert_eq!(skipped::<Compact>(&[0], Kind::Map), Ok(1));
    // No elements have no type.
    assert_eq!(skipped::<Binary>(&[0, 0, 0, 0, 0], Kind::List), Ok(5));
    assert_eq!(
        skipped::<Binary>(&[1, 0, 0, 0, 1, 0], Kind::Set),
        Err(ThriftError::Type(1))
    );
}

#[test]
fn depth_is_bounded() {
    let nested = |depth| [vec![0x1c; depth], vec![0; depth + 1]].concat();
    assert!(skipped::<Compact>(&nested(DEPTH_MAX), Kind::Struct).is_ok());
    let deep = skipped::<Compact>(&nested(DEPTH_MAX + 1), Kind::Struct);
    assert_eq!(deep, Err(ThriftError::TooDeep));
    // A million lists of one list each.
    let lists = [15, 0, 0, 0, 1].repeat(1 << 20);
    assert_eq!(
        skipped::<Binary>(&lists, Kind::List),
        Err(ThriftError::TooDeep)
    );
}

#[test]
fn numbers_have_no_more_bits_than_their_type() {
    let number = |bytes: &[u8]| Reader::<Compact>::new(bytes).i64();
    assert_eq!(number(&[0]), Ok(0));
    assert_eq!(number(&[1]), Ok(-1));
    assert_eq!(number(&[0x80, 0x01]), Ok(64));
    let longest = [&[0xff; 9][..], &[1]].concat();
    assert_eq!(number(&longest), Ok(i64::MIN));
    let too_long = [&[0xff; 9][..], &[2]].concat();
    assert_eq!(number(&too_long), Err(ThriftError::NumberTooLong));
    assert_eq!(number(&[0x80; 11]), Err(ThriftError::NumberTooLong));
    assert_eq!(number(&[0x80; 9]), Err(ThriftError::Cut));
    let number = |bytes: &[u8]| Reader::<Compact>::new(bytes).i32();
    assert_eq!(number(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Ok(i32::MIN));
    let too_long = number(&[0xff, 0xff, 0xff, 0xff, 0x1f]);
    assert_eq!(too_long, Err(ThriftError::NumberTooLong));
}

#[test]
fn heads_of_messages_are_read_in_all_three_forms() {
    let of = |sequence| Message {
        message_type: MessageType::Oneway,
        name: b"emit",
        sequence,
    };
    let strict = *b"\x80\x01\0\x04\0\0\0\x04emit\0\0\x01\x02";
    assert_eq!(Reader::<Binary>::new(&strict).message(), Ok(of(258)));
    let old = *b"\0\0\0\x04emit\x04\0\0\x01\x02";
    assert_eq!(Reader::<Binary>::new(&old).message(), Ok(of(258)));
    let compact = *b"\x82\x81\x82\x02\x04emit";
    assert_eq!(Reader::<Compact>::new(&compact).message(), Ok(of(258)));
    for (at, byte) in [(0, 0x81), (1, 2), (3, 0), (3, 5)] {
        let mut other = strict;
        other[at] = byte;
        assert!(Reader::<Binary>::new(&other).message().is_err(), "{at}");
        assert!(Reader::<Compact>::new(&other).message().is_err(), "{at}");
    }
}

#[test]
fn fields_of_every_type_are_passed_over() {
    let compact: [&[u8]; 12] = [
        &[0x11],
        &[0x12],
        &[0x13, 0xff],
        &[0x14, 0x05],
        &[0x05, 0xc8, 0x01, 0x05],
        &[0x16, 0x81, 0x01],
        &[0x17, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0x18, 2, b'a', b'b'],
        &[0x19, 0x21, 1, 2],
        &[0x1a, 0x18, 1, b'a'],
        &[0x1b, 1, 0x8c, 1, b'k', 0x11, 0],
        &[0x1c, 0x11, 0],
    ];
    let bytes = [&compact.concat()[..], &[0, 0xaa]].concat();
    assert_eq!(
        skipped::<Compact>(&bytes, Kind::Struct),
        Ok(bytes.len() - 1)
    );
    let binary: [&[u8]; 11] = [
        &[2, 0, 1, 1],
        &[3, 0, 1, 1],
        &[4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        &[6, 0, 1, 0, 0],
        &[8, 0, 1, 0, 0, 0, 0],
        &[10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        &[11, 0, 1, 0, 0, 0, 1, b'a'],
        &[12, 0, 1, 2, 0, 1, 1, 0],
        &[13, 0, 1, 11, 3, 0, 0, 0, 1, 0, 0, 0, 1, b'k', 7],
        &[14, 0, 1, 3, 0, 0, 0, 2, 1, 2],
        &[15, 0, 1, 12, 0, 0, 0, 2, 0, 0],
    ];
    let bytes = [&binary.concat()[..], &[0, 0xaa]].concat();
    assert_eq!(skipped::<Binary>(&bytes, Kind::Struct), Ok(bytes.len() - 1));
    for end in 0..bytes.len() - 1 {
        assert!(
            skipped::<Binary>(&bytes[..end], Kind::Struct).is_err(),
            "{end}"
        );
    }
}

#[test]
fn doubles_and_bools_are_read_as_each_protocol_writes_them() {
    let bits = 0.1f64.to_be_bytes();
    assert_eq!(Reader::<Binary>::new(&bits).double(), Ok(0.1));
    let bits = 0.1f64.to_le_bytes();
    assert_eq!(Reader::<Compact>::new(&bits).double(), Ok(0.1));
    let mut reader = Reader::<Compact>::new(&[0x11, 0x12, 0x19, 0x21, 1, 2, 0]);
    let mut id = 0;
    for expected in [true, false] {
        assert_eq!(reader.next_field(&mut id), Ok(Some(Kind::Bool)));
        assert_eq!(reader.bool(), Ok(expected));
    }
    assert_eq!(reader.next_field(&mut id), Ok(Some(Kind::List)));
    assert_eq!(id, 3);
    assert_eq!(reader.list().map(|list| list.count), Ok(2));
    assert_eq!((reader.bool(), reader.bool()), (Ok(true), Ok(false)));
    assert_eq!(reader.next_field(&mut id), Ok(None));
}
