// SPDX-License-Identifier: Apache-2.0
// Secrets come from files that nobody else can read. What is in them appears in no message.

import Glibc

/// A file with a secret in it.
public enum SecretFile {
    private static let limit = 4_096

    /// The content of a secret's file, a line break at its end cut off.
    public static func read(_ path: String) throws(RADIUSDriverError) -> [UInt8] {
        let file = try Self.openChecked(path)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: Self.limit + 1)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { throw RADIUSDriverError("\(path): \(String(cString: strerror(errno)))") }
        guard count <= Self.limit else { throw RADIUSDriverError("\(path): expected at most \(Self.limit) bytes") }
        bytes.removeLast(bytes.count - count)
        while bytes.last == UInt8(ascii: "\n") || bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty else { throw RADIUSDriverError("\(path) is empty: expected a secret") }
        return bytes
    }

    /// Only that the file is one nobody else can read.
    static func check(_ path: String) throws(RADIUSDriverError) {
        close(try Self.openChecked(path))
    }

    private static func openChecked(_ path: String) throws(RADIUSDriverError) -> CInt {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw RADIUSDriverError("\(path): \(String(cString: strerror(errno)))") }
        if let problem = Self.problem(file) {
            close(file)
            throw RADIUSDriverError("\(path): \(problem)")
        }
        return file
    }

    private static func problem(_ file: CInt) -> String? {
        var facts = stat()
        guard fstat(file, &facts) == 0 else { return String(cString: strerror(errno)) }
        guard facts.st_mode & S_IFMT == S_IFREG else { return "expected a file" }
        guard facts.st_uid == 0 || facts.st_uid == geteuid() else {
            return "it belongs to user \(facts.st_uid): expected root or the controller's own user"
        }
        guard facts.st_mode & 0o077 == 0 else {
            return "mode \(String(facts.st_mode & 0o777, radix: 8)) lets others at it: expected 600 or less"
        }
        return nil
    }
}
