// SPDX-License-Identifier: Apache-2.0
// JSON of values whose shape is known, into one buffer. What is written for every set-up has no time for a general encoder, which
// makes a tree of the value first; it is read rarely, by the general decoder.

/// Writes one JSON value. What is nil is left out, as the synthesized coding does.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    init(capacity: Int) { self.bytes.reserveCapacity(capacity) }

    var text: String { String(decoding: self.bytes, as: UTF8.self) }

    // MARK: Structure

    mutating func object(_ members: (inout JSONWriter) -> Void) {
        self.enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), members)
    }

    mutating func object(_ name: StaticString, _ members: (inout JSONWriter) -> Void) {
        self.name(name)
        self.enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), members)
    }

    mutating func array<Element>(
        _ name: StaticString, _ elements: [Element], _ element: (inout JSONWriter, Element) -> Void
    ) {
        self.name(name)
        self.enclosed(UInt8(ascii: "["), UInt8(ascii: "]")) { json in
            for each in elements { element(&json, each) }
        }
    }

    // MARK: Members

    mutating func member(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        self.name(name)
        self.element(value)
    }

    mutating func member(_ name: StaticString, _ value: (some FixedWidthInteger)?) {
        guard let value else { return }
        self.name(name)
        self.element(value)
    }

    mutating func member(_ name: StaticString, _ value: Bool) {
        self.name(name)
        self.comma()
        self.bytes.append(contentsOf: value ? "true".utf8 : "false".utf8)
    }

    mutating func member(_ name: StaticString, _ numbers: [some FixedWidthInteger]?) {
        guard let numbers else { return }
        self.name(name)
        self.element(numbers)
    }

    /// The textual form.
    mutating func text(_ name: StaticString, _ value: (some LosslessStringConvertible)?) {
        self.member(name, value?.description)
    }

    // MARK: Elements

    mutating func element(_ number: some FixedWidthInteger) {
        self.comma()
        guard number != 0 else { return self.bytes.append(UInt8(ascii: "0")) }
        if number < 0 { self.bytes.append(UInt8(ascii: "-")) }
        let first = self.bytes.count
        var rest = UInt64(number.magnitude)
        while rest > 0 {
            self.bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        }
        self.bytes[first...].reverse()
    }

    mutating func element(_ numbers: [some FixedWidthInteger]) {
        self.enclosed(UInt8(ascii: "["), UInt8(ascii: "]")) { json in
            for number in numbers { json.element(number) }
        }
    }

    mutating func element(_ text: String) {
        self.comma()
        self.bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                self.bytes.append(UInt8(ascii: "\\"))
                self.bytes.append(byte)
            case 0..<0x20:
                self.bytes.append(contentsOf: "\\u00".utf8)
                self.bytes.append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
                let digit = byte & 0xf
                self.bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            default: self.bytes.append(byte)
            }
        }
        self.bytes.append(UInt8(ascii: "\""))
    }

    // MARK: Parts

    private mutating func enclosed(_ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) -> Void) {
        self.comma()
        self.bytes.append(open)
        self.needsComma = false
        body(&self)
        self.bytes.append(close)
        self.needsComma = true
    }

    private mutating func name(_ name: StaticString) {
        self.comma()
        self.bytes.append(UInt8(ascii: "\""))
        self.bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        self.bytes.append(contentsOf: "\":".utf8)
        self.needsComma = false
    }

    private mutating func comma() {
        if self.needsComma { self.bytes.append(UInt8(ascii: ",")) }
        self.needsComma = true
    }
}
