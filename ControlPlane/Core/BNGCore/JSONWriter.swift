// SPDX-License-Identifier: Apache-2.0
// JSON of values whose shape is known, into one buffer. What is written for every set-up has no time for a general encoder, which
// makes a tree of the value first; it is read rarely, by the general decoder.

/// Writes one JSON value. What is nil is left out, as the synthesized coding does.
public struct JSONWriter: Sendable {
    /// What was written.
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// - Parameter capacity: octets expected.
    public init(capacity: Int) { self.bytes.reserveCapacity(capacity) }

    /// What was written, as text.
    public var text: String { String(decoding: self.bytes, as: UTF8.self) }

    // MARK: Structure

    /// An object: an element, or the whole value.
    public mutating func object(_ members: (inout JSONWriter) -> Void) {
        self.enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), members)
    }

    /// A member that is an object.
    public mutating func object(_ name: StaticString, _ members: (inout JSONWriter) -> Void) {
        self.name(name)
        self.enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), members)
    }

    /// A member that is an array.
    @inlinable
    public mutating func array<Element>(
        _ name: StaticString, _ elements: [Element], _ element: (inout JSONWriter, Element) -> Void
    ) {
        self.array(name) { json in
            for each in elements { element(&json, each) }
        }
    }

    /// The same; `elements` writes them.
    public mutating func array(_ name: StaticString, _ elements: (inout JSONWriter) -> Void) {
        self.name(name)
        self.enclosed(UInt8(ascii: "["), UInt8(ascii: "]"), elements)
    }

    // MARK: Members

    /// A text.
    public mutating func member(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        self.name(name)
        self.element(value)
    }

    /// A number.
    @inlinable
    public mutating func member(_ name: StaticString, _ value: (some FixedWidthInteger)?) {
        guard let value else { return }
        self.name(name)
        self.element(value)
    }

    /// true or false.
    public mutating func member(_ name: StaticString, _ value: Bool) {
        self.name(name)
        self.comma()
        self.bytes.append(contentsOf: value ? "true".utf8 : "false".utf8)
    }

    /// Numbers.
    @inlinable
    public mutating func member(_ name: StaticString, _ numbers: [some FixedWidthInteger]?) {
        guard let numbers else { return }
        self.name(name)
        self.element(numbers)
    }

    /// The textual form.
    @inlinable
    public mutating func text(_ name: StaticString, _ value: (some LosslessStringConvertible)?) {
        self.member(name, value?.description)
    }

    // MARK: Elements

    /// A number.
    @inlinable
    public mutating func element(_ number: some FixedWidthInteger) {
        self.element(magnitude: UInt64(number.magnitude), isNegative: number < 0)
    }

    /// A number by its parts, so that what is generic is small enough to be made anew for each type where it is used.
    public mutating func element(magnitude: UInt64, isNegative: Bool) {
        self.comma()
        guard magnitude != 0 else { return self.bytes.append(UInt8(ascii: "0")) }
        if isNegative { self.bytes.append(UInt8(ascii: "-")) }
        let first = self.bytes.count
        var rest = magnitude
        while rest > 0 {
            self.bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        }
        self.bytes[first...].reverse()
    }

    /// Numbers.
    @inlinable
    public mutating func element(_ numbers: [some FixedWidthInteger]) {
        self.enclosed(UInt8(ascii: "["), UInt8(ascii: "]")) { json in
            for number in numbers { json.element(number) }
        }
    }

    /// A text.
    public mutating func element(_ text: String) {
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

    @usableFromInline
    mutating func enclosed(_ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) -> Void) {
        self.comma()
        self.bytes.append(open)
        self.needsComma = false
        body(&self)
        self.bytes.append(close)
        self.needsComma = true
    }

    @usableFromInline
    mutating func name(_ name: StaticString) {
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
