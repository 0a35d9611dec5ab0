# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034
# What every emulated guest needs: Debian's kernel, unpacked and not installed, and an initramfs with programs and their libraries.
# Sourced; works in $work.

# Sets release and vmlinuz; modules are under kernel-*/lib/modules/$release.
fetch_kernel() {
	local package
	package=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-[0-9]/{print $2; exit}')
	[ -n "$package" ] || {
		echo "no linux-image package known: run apt-get update" >&2
		return 1
	}
	if [ ! -d "$work/kernel-$package" ]; then
		(
			cd "$work" || exit
			apt-get -q download "$package" >/dev/null
			rm -rf kernel.tmp
			dpkg-deb -x "$package"_*.deb kernel.tmp
			mv kernel.tmp "kernel-$package"
			rm -f "$package"_*.deb
		)
	fi
	release=${package#linux-image-}
	vmlinuz="$work/kernel-$package/boot/vmlinuz-$release"
	modules="$work/kernel-$package/lib/modules/$release"
}

# add FILE PATH: a program at PATH of $guest, and the libraries it needs where the loader looks for them.
add() {
	local file
	install -D "$1" "$guest$2"
	ldd "$1" 2>/dev/null | grep -o '/[^ ]*' | while read -r file; do [ -e "$guest$file" ] || install -D "$file" "$guest$file"; done || true
}

# add_module NAME: a kernel module under /lib/modules of $guest.
add_module() {
	find "$modules" -name "$1.ko*" -exec cp {} "$guest/lib/modules/" \;
}

# pack FILE: $guest as an initramfs.
pack() {
	(cd "$guest" && find . | cpio -o -H newc --quiet | gzip -1) >"$1.new"
	mv "$1.new" "$1"
}
