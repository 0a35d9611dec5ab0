// SPDX-License-Identifier: Apache-2.0
// Reads the vectors under Tests/vectors: `key: value` lines, `#` comments.

import Foundation

/// One vector file.
public struct VectorFile: Sendable, CustomStringConvertible {
    public let name: String
    /// Keys and values in file order; a key may repeat.
    public let fields: [(key: String, value: String)]

    public var description: String { self.name }

    public subscript(_ key: String) -> String? { self.fields.first { $0.key == key }?.value }
    public func all(_ key: String) -> [String] { self.fields.filter { $0.key == key }.map(\.value) }

    /// Bytes of a hexadecimal field, white space ignored.
    public func bytes(_ key: String) -> [UInt8]? {
        guard let text = self[key] else { return nil }
        let digits = text.filter { !$0.isWhitespace }
        guard digits.count.isMultiple(of: 2) else { return nil }
        var result: [UInt8] = []
        var index = digits.startIndex
        while index < digits.endIndex {
            let next = digits.index(index, offsetBy: 2)
            guard let byte = UInt8(digits[index..<next], radix: 16) else { return nil }
            result.append(byte)
            index = next
        }
        return result
    }

    init(name: String, text: String) {
        self.name = name
        self.fields = text.split(separator: "\n").compactMap { line in
            guard !line.hasPrefix("#"), let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            return (String(line[..<colon]), value)
        }
    }

    /// All `.txt` vectors of a folder under Tests/vectors, by name.
    public static func load(_ folder: String) -> [VectorFile] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "vectors").appending(path: folder)
        let files = (try? FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.pathExtension == "txt" }.sorted { $0.path < $1.path }.compactMap { file in
            guard let text = try? String(contentsOf: file, encoding: .utf8) else { return nil }
            return VectorFile(name: file.deletingPathExtension().lastPathComponent, text: text)
        }
    }
}
