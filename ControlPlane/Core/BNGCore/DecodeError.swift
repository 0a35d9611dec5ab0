// SPDX-License-Identifier: Apache-2.0
// Why bytes could not be decoded, and where.

/// The error every decoder throws: what was wrong and at which offset from the start of the input, in bytes.
public struct DecodeError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Reason: Equatable, Sendable {
        case truncated(needed: Int, available: Int)
        case invalid(field: StaticString)
        case tooLong(field: StaticString, limit: Int)

        public static func == (a: Reason, b: Reason) -> Bool {
            switch (a, b) {
            case (.truncated(let n, let v), .truncated(let m, let w)): return n == m && v == w
            case (.invalid(let f), .invalid(let g)): return f.description == g.description
            case (.tooLong(let f, let l), .tooLong(let g, let m)): return f.description == g.description && l == m
            default: return false
            }
        }
    }

    public var reason: Reason
    public var offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    public var description: String {
        switch self.reason {
        case .truncated(let needed, let available):
            return "truncated at byte \(self.offset): needs \(needed) more bytes, has \(available)"
        case .invalid(let field): return "invalid \(field) at byte \(self.offset)"
        case .tooLong(let field, let limit): return "\(field) at byte \(self.offset) exceeds \(limit) bytes"
        }
    }
}
